// Extracts an artifact as Argo CD's repository server does, with its own client, and prints where.
//
// Arguments: the repository, a tag or digest, the media types that may be extracted.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/argoproj/argo-cd/v3/util/io"
	"github.com/argoproj/argo-cd/v3/util/oci"
)

func extract(repository, revision, types string) (string, error) {
	cache, err := os.MkdirTemp("", "argo-cd")
	if err != nil {
		return "", err
	}
	client, err := oci.NewClient(
		repository,
		oci.Creds{InsecureHTTPOnly: true},
		"",
		"",
		strings.Split(types, ","),
		oci.WithImagePaths(io.NewRandomizedTempPaths(cache)),
		oci.WithManifestMaxExtractedSize(1<<30),
		oci.WithEventHandlers(uncounted()),
	)
	if err != nil {
		return "", err
	}
	digest, err := client.ResolveRevision(context.Background(), revision, true)
	if err != nil {
		return "", err
	}
	folder, _, err := client.Extract(context.Background(), digest)
	return folder, err
}

// Where Argo CD counts, nothing is counted.
func uncounted() oci.EventHandlers {
	done := func(string) func() { return func() {} }
	failed := func(string) func(string) { return func(string) {} }
	return oci.EventHandlers{
		OnExtract:             done,
		OnResolveRevision:     done,
		OnExtractFail:         failed,
		OnResolveRevisionFail: failed,
	}
}

func main() {
	folder, err := extract(os.Args[1], os.Args[2], os.Args[3])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(folder)
}
