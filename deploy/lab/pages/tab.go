package pages

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Tab is a page of a browser's.
type Tab struct {
	b       *Browser
	session string
	loaded  chan struct{}

	mu      sync.Mutex
	errors  []string // what went wrong in the page: exceptions, errors of the console
	fetched []string // what it asked for, other than itself and its data: URLs
}

// patience is how long a tab waits for anything.
const patience = 30 * time.Second

// Tab opens an empty page of a size.
func (b *Browser) Tab(ctx context.Context, width, height int) (*Tab, error) {
	var target struct {
		ID string `json:"targetId"`
	}
	if err := b.call(ctx, "", "Target.createTarget", map[string]any{"url": "about:blank"}, &target); err != nil {
		return nil, err
	}
	var attached struct {
		Session string `json:"sessionId"`
	}
	if err := b.call(ctx, "", "Target.attachToTarget", map[string]any{"targetId": target.ID, "flatten": true}, &attached); err != nil {
		return nil, err
	}
	t := &Tab{b: b, session: attached.Session, loaded: make(chan struct{}, 16)}
	b.mu.Lock()
	b.tabs[t.session] = t
	b.mu.Unlock()
	for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
		if err := t.Call(domain+".enable", nil, nil); err != nil {
			return nil, err
		}
	}
	return t, t.Call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false}, nil)
}

// Call is any command of the protocol.
func (t *Tab) Call(method string, params, result any) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if params == nil {
		params = struct{}{}
	}
	return t.b.call(ctx, t.session, method, params, result)
}

func (t *Tab) event(m message) {
	var p struct {
		Exception struct {
			Text      string `json:"text"`
			Exception struct {
				Description string `json:"description"`
			} `json:"exception"`
		} `json:"exceptionDetails"`
		Type  string `json:"type"`
		Entry struct {
			Level string `json:"level"`
			Text  string `json:"text"`
		} `json:"entry"`
		Request struct {
			URL string `json:"url"`
		} `json:"request"`
	}
	if err := json.Unmarshal(m.Params, &p); err != nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case m.Method == "Runtime.exceptionThrown":
		t.errors = append(t.errors, p.Exception.Text+" "+p.Exception.Exception.Description)
	case m.Method == "Runtime.consoleAPICalled" && (p.Type == "error" || p.Type == "warning"):
		t.errors = append(t.errors, string(m.Params))
	case m.Method == "Log.entryAdded" && (p.Entry.Level == "error" || p.Entry.Level == "warning"):
		t.errors = append(t.errors, p.Entry.Text)
	case m.Method == "Network.requestWillBeSent" && !strings.HasPrefix(p.Request.URL, "data:"):
		t.fetched = append(t.fetched, p.Request.URL)
	case m.Method == "Page.loadEventFired":
		select {
		case t.loaded <- struct{}{}:
		default:
		}
	}
}

// Open goes to a file, as GoTo does.
func (t *Tab) Open(file, fragment string) (time.Duration, error) {
	return t.GoTo("file://" + file + fragment)
}

// GoTo goes to a URL and says how long it took until the page was there: drawn by
// its script, and shown.
func (t *Tab) GoTo(url string) (time.Duration, error) {
	for len(t.loaded) > 0 {
		<-t.loaded
	}
	start := time.Now()
	if err := t.Call("Page.navigate", map[string]any{"url": url}, nil); err != nil {
		return 0, err
	}
	select {
	case <-t.loaded:
	case <-time.After(patience):
		return 0, fmt.Errorf("%s did not load within %v", url, patience)
	}
	// Two frames: what observers draw is drawn in the first.
	err := t.Eval(`new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`, nil)
	return time.Since(start), err
}

// Eval evaluates an expression in the page; a promise is waited for.
func (t *Tab) Eval(expression string, result any) error {
	var r struct {
		Result struct {
			Value json.RawMessage `json:"value"`
		} `json:"result"`
		Exception *struct {
			Text      string `json:"text"`
			Exception struct {
				Description string `json:"description"`
			} `json:"exception"`
		} `json:"exceptionDetails"`
	}
	err := t.Call("Runtime.evaluate", map[string]any{"expression": expression, "awaitPromise": true, "returnByValue": true}, &r)
	switch {
	case err != nil:
		return err
	case r.Exception != nil:
		return fmt.Errorf("evaluate %s: %s %s", expression, r.Exception.Text, r.Exception.Exception.Description)
	case result == nil:
		return nil
	}
	return json.Unmarshal(r.Result.Value, result)
}

// Keys that are pressed by name.
var keys = map[string]int{"Tab": 9, "Enter": 13, "Escape": 27, " ": 32, "ArrowLeft": 37, "ArrowRight": 39, "End": 35, "Home": 36}

// Press presses a key and lets it go.
func (t *Tab) Press(key string) error {
	code, ok := keys[key]
	if !ok {
		return fmt.Errorf("no key %q", key)
	}
	event := map[string]any{"type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": code}
	if key == "Enter" {
		event["text"] = "\r"
	}
	if err := t.Call("Input.dispatchKeyEvent", event, nil); err != nil {
		return err
	}
	delete(event, "text")
	event["type"] = "keyUp"
	return t.Call("Input.dispatchKeyEvent", event, nil)
}

// Scheme has the page prefer light or dark colours, or be as it is printed.
func (t *Tab) Scheme(scheme, media string) error {
	err := t.Call("Emulation.setEmulatedMedia", map[string]any{"media": media, "features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
	if err != nil {
		return err
	}
	return t.Eval(`new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`, nil)
}

// Picture is a PNG of a part of the page.
func (t *Tab) Picture(x, y, width, height float64) ([]byte, error) {
	var r struct {
		Data []byte `json:"data"`
	}
	err := t.Call("Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": true,
		"clip": map[string]any{"x": x, "y": y, "width": width, "height": height, "scale": 1}}, &r)
	return r.Data, err
}

// Errors are those of the page so far.
func (t *Tab) Errors() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string{}, t.errors...)
}

// Fetched is what the page asked for.
func (t *Tab) Fetched() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string{}, t.fetched...)
}

// forget drops the errors so far: those of what a test did to the page.
func (t *Tab) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.errors = nil
}
