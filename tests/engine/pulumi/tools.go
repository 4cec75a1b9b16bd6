//go:build tools

// Package engine pins the Pulumi command line that the tests build from the Go module proxy.
package engine

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
