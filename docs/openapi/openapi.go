// Package openapi holds the description of a node's REST in OpenAPI 2.0 (Swagger): the
// queries of Lode's modules and of the Cosmos SDK's. `make proto` writes it; a node
// serves it at /openapi.json.
package openapi

import _ "embed"

// JSON is the document.
//
//go:embed lode.json
var JSON []byte
