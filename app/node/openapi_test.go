package node_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/app"
	"github.com/lodenet/lode/docs/openapi"
)

func TestRESTServesItsOwnDescription(t *testing.T) {
	home, _ := initHome(t, 100*time.Millisecond)
	n := start(t, home)
	body, header := get(t, "http://"+n.Endpoints().REST+app.OpenAPIPath)
	require.Equal(t, "application/json", header.Get("Content-Type"))
	require.JSONEq(t, string(openapi.JSON), body)
}
