package app

import (
	"net/http"

	"github.com/lodenet/lode/docs/openapi"
)

// OpenAPIPath is where REST serves its own description.
const OpenAPIPath = "/openapi.json"

// serveOpenAPI answers with the description of REST.
func serveOpenAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "max-age=3600")
	_, _ = w.Write(openapi.JSON) // a reader that has gone needs no answer
}
