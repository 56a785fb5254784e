// Package models keeps the files of language models by what is in them: a [Library] is a
// folder of GGUF files, each named by its SHA-256, with the thresholds that answers of it
// are judged by.
//
// # Use
//
//	library := models.Open(filepath.Join(home, "models"))
//	m, err := library.Add(ctx, "mistral-7b-Q4_K_M.gguf", models.AddOptions{})
//	m, err = library.Find(ctx, "mistral") // digest, beginning of one, name, or path of a file
//	thresholds, err := library.Thresholds(m.Digest)
//
// # Guarantees
//
// What is added is read once, hashed while it is copied, and appears under its name whole
// or not at all, also where others add it meanwhile or the process is killed. Files that
// are no GGUF, or end before their last tensor does, are refused before they are copied. A
// file that has changed since is told by its size and time, and then by its digest; it is
// refused. What is in the folder and is no regular file is never followed.
package models
