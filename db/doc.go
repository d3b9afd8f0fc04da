// Package db opens Hark's database and brings its schema up to date.
package db
