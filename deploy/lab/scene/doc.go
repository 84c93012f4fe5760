// Package scene sets the stage of the blog post's story: a broker on a slow
// disk, three producers whose small batches meet at one partition's log lock,
// and something on the same disk that syncs twice a second.
package scene
