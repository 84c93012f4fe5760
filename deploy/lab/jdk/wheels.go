package jdk

// wheels are pinned; the first three numbers of a version are the JDK's.
var wheels = []wheel{
	{"11.0.13.1", map[string]string{
		"amd64": "5ae9d31cf694099790ae231a639255f31fefbd60b42ec66fe662eabad21a3f4f",
	}},
	{"17.0.9.2", map[string]string{
		"amd64": "d9e5235e110182b9291ea09da413309b19dcf12d104d9aa3624abe210e593d7c",
	}},
	{"21.0.8.2", map[string]string{
		"amd64": "85addfcb57c7051dad6145b9f816fc519337e9a0c705ef01edc9dc7818ee0356",
		"arm64": "2519dce230b3ed13a93a3efed15c6b8b163aeacd77859ddf59eef3faa69c635d",
	}},
	{"25.0.2.1", map[string]string{
		"amd64": "383d71d8639d072752d2eaafc84944e0d8de7f1c45d30c28f6dfef8a4a65543c",
		"arm64": "b7246170d605dd7b65340994fedea2615737e63955f0b95389202e0ab4a166ac",
	}},
}
