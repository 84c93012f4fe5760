package sink

import (
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/encoding/gzip" // taken as well
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// maxMessage bounds a message, in bytes.
const maxMessage = 64 << 20

// newRPC takes every method: an empty message answers each of OTLP's.
func newRPC(take func(Message) error) *grpc.Server {
	return grpc.NewServer(grpc.ForceServerCodecV2(asIs{}), grpc.MaxRecvMsgSize(maxMessage),
		grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
			method, _ := grpc.MethodFromServerStream(stream)
			var body []byte
			if err := stream.RecvMsg(&body); err != nil {
				return err
			}
			var header string
			md, _ := metadata.FromIncomingContext(stream.Context())
			for k, v := range md {
				header += fmt.Sprintf("%s: %q\n", k, v)
			}
			if err := take(Message{method, header, body}); err != nil {
				return status.Error(codes.Unavailable, err.Error())
			}
			return stream.SendMsg(&[]byte{})
		}))
}

// asIs is a codec of messages that are bytes already.
type asIs struct{}

func (asIs) Name() string { return "proto" }

func (asIs) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(*v.(*[]byte))}, nil
}

func (asIs) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}
