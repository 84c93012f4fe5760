package kafka

// The API keys that matter here.
const (
	KeyProduce          int16 = 0
	KeyFetch            int16 = 1
	KeyMetadata         int16 = 3
	KeySaslHandshake    int16 = 17
	KeyAPIVersions      int16 = 18
	KeySaslAuthenticate int16 = 36
)

// latestVersion is the newest version of each API key that was known when
// this was written (Kafka 4.1 and kmsg 1.15).
var latestVersion = [...]int8{
	13, 18, 11, 13, 7, 4, 8, 3, 10, 10, 6, 9, 4, 5, 5, 6, 5, 1, 5, 7, 6, 2, 6,
	4, 5, 4, 5, 2, 6, 3, 3, 3, 4, 2, 2, 5, 2, 3, 3, 2, 2, 3, 3, 2, 1, 1, 0, 0,
	1, 1, 0, 0, 2, 1, 1, 2, 3, 2, 0, 1, 2, 0, 4, 2, 0, 0, 2, 0, 1, 1, 0, 0, 0,
	0, 1, 0, 1, 1, 2, 2, 1, 0, 0, 0, 0, 1, 0, 1, 1, 1, 1, 0, 0, 0, 0,
}

const (
	// newerVersions is how far a broker of tomorrow may be ahead of the table.
	newerVersions = 4
	// maxAPIKey leaves room for API keys of tomorrow, whose versions are low.
	maxAPIKey        = 199
	maxUnknownAPIVer = 8
)

// plausible says that a request of this key and version may well exist.
func plausible(key, version int16) bool {
	if key < 0 || key > maxAPIKey || version < 0 {
		return false
	}
	if int(key) >= len(latestVersion) {
		return version <= maxUnknownAPIVer
	}
	return version <= int16(latestVersion[key])+newerVersions
}

// known says that a request of this key and version does exist.
func known(key, version int16) bool {
	return key >= 0 && int(key) < len(latestVersion) &&
		version >= 0 && version <= int16(latestVersion[key])
}

// Known says that a request of this key and version does exist.
func Known(key, version int16) bool { return known(key, version) }
