package kafka

import (
	"encoding/json"
	"math"
	"time"
)

// requestJSON is a line of the request log since Kafka 2.8 (before, it was not
// JSON). The request and the response follow Kafka's schemas.
type requestJSON struct {
	Header struct {
		Key           int16  `json:"requestApiKey"`
		Version       int16  `json:"requestApiVersion"`
		Name          string `json:"requestApiKeyName"`
		CorrelationID int32  `json:"correlationId"`
		ClientID      string `json:"clientId"`
	} `json:"requestHeader"`
	Request       json.RawMessage `json:"request"`
	Response      json.RawMessage `json:"response"` // a string where there is none
	Connection    string          `json:"connection"`
	Total         milliseconds    `json:"totalTimeMs"`
	RequestQueue  milliseconds    `json:"requestQueueTimeMs"`
	Local         milliseconds    `json:"localTimeMs"`
	Remote        milliseconds    `json:"remoteTimeMs"`
	Throttle      milliseconds    `json:"throttleTimeMs"`
	ResponseQueue milliseconds    `json:"responseQueueTimeMs"`
	Send          milliseconds    `json:"sendTimeMs"`
	Protocol      Protocol        `json:"securityProtocol"`
	Listener      string          `json:"listener"`
}

type milliseconds float64

func (m milliseconds) duration() time.Duration {
	return time.Duration(math.Round(float64(m) * float64(time.Millisecond)))
}

// topicJSON is how both messages name a topic.
type topicJSON struct {
	Name string `json:"name"`
	ID   string `json:"topicId"` // from version 13 on
}

type produceRequestJSON struct {
	TransactionalID string `json:"transactionalId"`
	Acks            int16  `json:"acks"`
	Topics          []struct {
		topicJSON
		Partitions []struct {
			Index int32 `json:"index"`
			Bytes int32 `json:"recordsSizeInBytes"`
		} `json:"partitionData"`
	} `json:"topicData"`
}

type produceResponseJSON struct {
	Responses []struct {
		topicJSON
		Partitions []struct {
			Index      int32 `json:"index"`
			Error      int16 `json:"errorCode"`
			BaseOffset int64 `json:"baseOffset"`
		} `json:"partitionResponses"`
	} `json:"responses"`
}

// place is a partition of one request.
type place struct {
	topic topicJSON
	index int32
}

func (t topicJSON) String() string {
	if t.Name != "" {
		return t.Name
	}
	return t.ID
}

func (j *requestJSON) produce() (*ProduceLog, error) {
	var request produceRequestJSON
	if err := json.Unmarshal(j.Request, &request); err != nil {
		return nil, err
	}
	var response produceResponseJSON
	if len(j.Response) > 0 && j.Response[0] == '{' {
		if err := json.Unmarshal(j.Response, &response); err != nil {
			return nil, err
		}
	}
	p := &ProduceLog{TransactionalID: request.TransactionalID, Acks: request.Acks}
	at := map[place]int{}
	for _, t := range request.Topics {
		for _, part := range t.Partitions {
			at[place{t.topicJSON, part.Index}] = len(p.Partitions)
			p.Partitions = append(p.Partitions, ProducedPartition{
				Topic: t.String(), Partition: part.Index, Bytes: part.Bytes, BaseOffset: -1})
		}
	}
	for _, t := range response.Responses {
		for _, part := range t.Partitions {
			if i, ok := at[place{t.topicJSON, part.Index}]; ok {
				one := &p.Partitions[i]
				one.BaseOffset, one.Error, one.Answered = part.BaseOffset, part.Error, true
			}
		}
	}
	return p, nil
}
