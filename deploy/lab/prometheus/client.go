package prometheus

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Client asks a Prometheus's API.
type Client struct {
	URL string // http://127.0.0.1:9090
}

// Ready says whether the server answers queries.
func (c Client) Ready(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	resp, err := c.send(ctx, "/-/ready")
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// Instant evaluates a query at a time.
func (c Client) Instant(ctx context.Context, expr string, at time.Time) ([]Series, error) {
	return c.query(ctx, "/api/v1/query", url.Values{"query": {expr}, "time": {seconds(at)}})
}

// Range evaluates a query at each step of a time.
func (c Client) Range(ctx context.Context, expr string, start, end time.Time, step time.Duration) ([]Series, error) {
	return c.query(ctx, "/api/v1/query_range", url.Values{"query": {expr}, "start": {seconds(start)}, "end": {seconds(end)},
		"step": {strconv.FormatFloat(step.Seconds(), 'f', -1, 64)}})
}

func (c Client) query(ctx context.Context, path string, v url.Values) ([]Series, error) {
	var data struct {
		Type   string          `json:"resultType"`
		Result json.RawMessage `json:"result"`
	}
	if err := c.get(ctx, path+"?"+v.Encode(), &data); err != nil {
		return nil, fmt.Errorf("query %s: %w", v.Get("query"), err)
	}
	all, err := parseResult(data.Type, data.Result)
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", v.Get("query"), err)
	}
	return all, nil
}

// Exemplars are those of the series that a query selects.
func (c Client) Exemplars(ctx context.Context, expr string, start, end time.Time) (all []Exemplars, err error) {
	v := url.Values{"query": {expr}, "start": {seconds(start)}, "end": {seconds(end)}}
	if err := c.get(ctx, "/api/v1/query_exemplars?"+v.Encode(), &all); err != nil {
		return nil, fmt.Errorf("exemplars of %s: %w", expr, err)
	}
	return all, nil
}

// Values are those of a label, of the series that a selector names.
func (c Client) Values(ctx context.Context, label, selector string) (all []string, err error) {
	v := url.Values{}
	if selector != "" {
		v.Set("match[]", selector)
	}
	if err := c.get(ctx, "/api/v1/label/"+url.PathEscape(label)+"/values?"+v.Encode(), &all); err != nil {
		return nil, fmt.Errorf("values of %s: %w", label, err)
	}
	return all, nil
}

// Rules are the loaded ones.
func (c Client) Rules(ctx context.Context) ([]Rule, error) {
	var data struct {
		Groups []struct {
			Rules []Rule `json:"rules"`
		} `json:"groups"`
	}
	if err := c.get(ctx, "/api/v1/rules", &data); err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	var all []Rule
	for _, g := range data.Groups {
		all = append(all, g.Rules...)
	}
	return all, nil
}

func seconds(t time.Time) string { return strconv.FormatFloat(float64(t.UnixMilli())/1e3, 'f', 3, 64) }

// answerBytes bounds an answer of the API.
const answerBytes = 64 << 20

func (c Client) send(ctx context.Context, path string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL+path, nil)
	if err != nil {
		return nil, err
	}
	return http.DefaultClient.Do(req)
}

func (c Client) get(ctx context.Context, path string, into any) error {
	resp, err := c.send(ctx, path)
	if err != nil {
		return fmt.Errorf("ask prometheus: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, answerBytes))
	if err != nil {
		return fmt.Errorf("ask prometheus: %w", err)
	}
	var answer struct {
		Status string          `json:"status"`
		Error  string          `json:"error"`
		Data   json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return fmt.Errorf("read prometheus's answer (%s): %w", resp.Status, err)
	}
	if answer.Status != "success" {
		return fmt.Errorf("prometheus: %s", answer.Error)
	}
	return json.Unmarshal(answer.Data, into)
}
