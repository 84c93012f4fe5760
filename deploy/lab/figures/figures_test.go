package figures

import "testing"

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		of   []float64
		want float64
	}{{nil, 0}, {[]float64{4, 1, 3}, 3}, {[]float64{4, 1, 3, 2}, 2.5}} {
		if m := Median(c.of); m != c.want {
			t.Errorf("%v, want %v", m, c.want)
		}
	}
}
