package kafka

import (
	"fmt"
	"path/filepath"
)

// RequestLogFile is where the broker writes its request log (Config.RequestLog).
func (b *Broker) RequestLogFile() string {
	return filepath.Join(b.Dir, "request.log")
}

// Both configurations log to the error output, but requests to a file of
// their own, each line with its time in UTC.
const (
	log4j1Base = `log4j.rootLogger=INFO, stderr
log4j.appender.stderr=org.apache.log4j.ConsoleAppender
log4j.appender.stderr.target=System.err
log4j.appender.stderr.layout=org.apache.log4j.PatternLayout
log4j.appender.stderr.layout.ConversionPattern=[%%d] %%p %%m (%%c)%%n
log4j.logger.kafka.request.logger=%s
log4j.additivity.kafka.request.logger=false
`
	log4j1Requests = `log4j.appender.request=org.apache.log4j.FileAppender
log4j.appender.request.file=%s
log4j.appender.request.layout=org.apache.log4j.EnhancedPatternLayout
log4j.appender.request.layout.ConversionPattern=%%d{yyyy-MM-dd'T'HH:mm:ss.SSS'Z'}{UTC} %%m%%n
`
	log4j2Base = `rootLogger.level=info
rootLogger.appenderRef.stderr.ref=stderr
appender.stderr.type=Console
appender.stderr.name=stderr
appender.stderr.target=SYSTEM_ERR
appender.stderr.layout.type=PatternLayout
appender.stderr.layout.pattern=[%%d] %%p %%m (%%c)%%n
logger.request.name=kafka.request.logger
logger.request.level=%s
logger.request.additivity=false
`
	log4j2Requests = `logger.request.appenderRef.request.ref=request
appender.request.type=File
appender.request.name=request
appender.request.fileName=%s
appender.request.layout.type=PatternLayout
appender.request.layout.pattern=%%d{yyyy-MM-dd'T'HH:mm:ss.SSS'Z'}{UTC} %%m%%n
`
)

// logging is the configuration of the broker's logging library.
func (b *Broker) logging() []byte {
	base, requests, on := log4j2Base, log4j2Requests, "debug"
	if b.Dist.Version.log4j1() {
		base, requests, on = log4j1Base, log4j1Requests, "DEBUG, request"
	}
	if !b.RequestLog {
		return fmt.Appendf(nil, base, "OFF")
	}
	return fmt.Appendf(fmt.Appendf(nil, base, on), requests, b.RequestLogFile())
}

// loggingOption names the configuration to the JVM.
func (b *Broker) loggingOption(file string) string {
	if b.Dist.Version.log4j1() {
		return "-Dlog4j.configuration=file:" + file
	}
	return "-Dlog4j2.configurationFile=" + file
}
