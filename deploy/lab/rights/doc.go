// Package rights tests with how few rights Tailspan does with: on a real
// broker of another user, with one capability less each time, and as a user
// that has nothing but those of the README's table.
package rights
