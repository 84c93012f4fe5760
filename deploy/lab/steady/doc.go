// Package steady is a load of requests that do not differ: one record each, on
// connections of their own, one after the other, so that stretches of it compare.
package steady
