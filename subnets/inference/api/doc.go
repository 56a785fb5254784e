// Package api is the HTTP surface of the inference product: it speaks what the official
// clients of OpenAI and of Anthropic speak, and gets its answers from a [Backend], of
// which it knows nothing else.
//
//	POST /v1/chat/completions       OpenAI's chat, streamed or not
//	POST /v1/completions            a prompt as it is, without a chat template
//	POST /v1/responses              OpenAI's responses, stateless
//	POST /v1/messages               Anthropic's messages
//	POST /v1/messages/count_tokens
//	POST /v1/embeddings             numbers, or base64 of little-endian float32
//	GET  /v1/models, /v1/models/ID  with price, context and tier; in a shape that both read
//
// [Handler] serves them. All five ways to ask become one [Request], and all answers come
// back as [Event]s through one pipeline, which cuts stop strings off (across pieces),
// holds characters back that are not whole, and finds tool calls; what differs between
// endpoints is only how a request is read and an answer is written.
//
// Tools are offered to the model in its prompt, in words that models are trained on, and
// found in its text; where a call is demanded, [Request.Schema] demands it. So a backend
// needs to know nothing of tools: it sees messages of a system, a user and an assistant,
// and a JSON schema that the answer must follow.
//
// What the package promises:
//
//   - What is wrong with a request is told as a 4xx before a stream starts, with the
//     field's name in param. Inside of a stream an error is the last thing that is sent:
//     data: {"error":…} for OpenAI's clients, without [DONE], and event: error for
//     Anthropic's. There are no comments and no empty frames.
//   - Unknown fields are ignored, as OpenAI does; known fields that would change the
//     answer and that nobody here can honour are refused.
//   - Anthropic's version header may be 2023-06-01, whose shapes these are, or later: what
//     2026-10-21 changed does not touch what is served here, except that temperature and
//     top_p, which it took away, are still understood.
//   - When a client leaves, or reads too slowly, the backend's context ends.
//   - Bodies, messages, depth, times and the memory of all requests together are bounded,
//     and so is each answer.
//   - Nothing of what is asked and answered is logged or repeated in an error.
//
// Web pages can't call it: bodies must be declared as JSON, which a browser asks
// permission for, and none is given. Who serves it on loopback should check the Host
// header, too, against pages whose names are rebound.
package api
