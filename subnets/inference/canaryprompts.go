package inference

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/lodenet/lode/subnets/inference/api"
)

// What canaries and calibrations ask: templates whose places are filled at random, in the
// canaryKinds that people ask in. They are public; see [Canaries] for prompts of one's own.

// canaryWords fill the places of templates: {topic} takes one of canaryWords["topic"], {n} a number.
var canaryWords = map[string][]string{
	"topic": strings.Split("photosynthesis|black holes|the French Revolution|inflation|vaccines|plate tectonics|recursion|the water cycle|supply and demand|Roman law|jazz|"+
		"public-key cryptography|the immune system|coral reefs|the Silk Road|machine learning|quantum entanglement|fermentation|the stock market|volcanoes|DNA|the Moon's phases|"+
		"garbage collection in programming languages|blockchains|proof of stake|a staking reward|Lode|Yuma Consensus|a validator|a payment channel|a language model|quantisation|"+
		"tides|the Industrial Revolution|chess openings|solar panels|heat pumps|antibiotics|the Great Wall|Impressionism|haiku|game theory|entropy|compound interest|glaciers|insulin|"+
		"the Renaissance|bread baking|migratory birds|TCP congestion control|hash tables|the Doppler effect|electric cars|mortgage rates|sleep|migraine|the Cold War|Newton's laws", "|"),
	"thing": strings.Split("a cat|an old bicycle|a lighthouse|a violin|a clock|a mountain village|a lost letter|a robot|a garden|a train at night|a fox|the sea|a baker|two brothers|"+
		"a dragon who is afraid of fire|an astronaut|a detective in Lisbon|a tree|a library|a storm|a market|a mirror|a river|a soldier's dog|snow", "|"),
	"place":    strings.Split("France|Japan|Kenya|Peru|Norway|India|Canada|Egypt|Vietnam|Portugal|Iceland|Mexico|Poland|Morocco|Australia|Greece|Chile|Turkey|Ireland|Thailand|Hungary|Cuba", "|"),
	"city":     strings.Split("Rome|Kyoto|Lisbon|Prague|Istanbul|Chicago|Nairobi|Hanoi|Lima|Oslo|Barcelona|Toronto|Cape Town|Vienna|Seoul|Marrakesh|Buenos Aires|Edinburgh|Tbilisi|Porto", "|"),
	"language": strings.Split("Python|Go|JavaScript|TypeScript|Rust|Java|C|C++|SQL|Bash|Kotlin|Ruby|C#|Haskell", "|"),
	"task": strings.Split("reverses a linked list|checks whether a string is a palindrome|reads a CSV file and sums a column|finds the longest word in a text|merges two sorted arrays|"+
		"computes Fibonacci numbers without recursion|validates an e-mail address|counts words in a file|flattens a nested list|parses an ISO date|removes duplicates but keeps the order|"+
		"downloads a page with retries|implements an LRU cache|sorts people by age and then by name|finds all prime numbers below n|converts Celsius to Fahrenheit|"+
		"groups anagrams|does a binary search|prints a chessboard|watches a folder for changes|rate-limits a function|transposes a matrix", "|"),
	"code": {
		"def f(xs):\n    total = 0\n    for i in range(1, len(xs)):\n        total += xs[i]\n    return total / len(xs)",
		"for i := 0; i <= len(items); i++ {\n\tfmt.Println(items[i])\n}",
		"const r = await fetch(url);\nconst data = r.json();\nconsole.log(data.items.length);",
		"SELECT name, COUNT(*) FROM orders WHERE total > 100;",
		"int *p = malloc(10);\nfor (int i = 0; i < 10; i++) p[i] = i;\nfree(p);\nreturn p[0];",
		"while True:\n    line = f.readline()\n    if line is None: break\n    print(line)",
		"func add(m map[string]int, k string) {\n\tvar n map[string]int\n\tn[k] = m[k] + 1\n}",
		"if (user.role = 'admin') {\n  grantAccess(user);\n}",
	},
	"style":  strings.Split("short|funny|formal|friendly|very simple|persuasive|dry|warm|poetic|technical", "|"),
	"person": strings.Split("my boss|a new colleague|my landlord|a customer|my grandmother|a friend who moved away|the school|a supplier|my neighbour|the whole team", "|"),
	"matter": strings.Split("being late tomorrow|a broken heater|a pay rise|an invoice that was paid twice|a birthday party|moving the meeting to Thursday|a noisy dog|a refund|"+
		"a day off next week|a lost parcel|the new opening hours|a recommendation letter|a delayed delivery", "|"),
	"item": strings.Split("ideas for a weekend trip|names for a small bakery|questions for a job interview|healthy breakfasts|books about the sea|reasons to learn a language|"+
		"ways to save water at home|games for a rainy day|synonyms of happy|exercises for a sore back|gifts under 20 euros|habits of good programmers|facts about octopuses|"+
		"things to see in {city}|cities in {place}|dishes from {place}", "|"),
	"text": {
		"The council met on Tuesday and voted nine to four to close the old bridge for repairs. Work begins in March and is expected to take fourteen months. Buses will be diverted over the northern ring road.",
		"I bought these headphones three weeks ago. The sound is lovely, but the left side already crackles, and the shop has not answered my two mails. For that price I expected more.",
		"Bees do not see red. Flowers that look plain to us can carry ultraviolet patterns that lead an insect to the nectar. What is a white daisy to a child is a target to a bee.",
		"The reactor was shut down for a planned inspection at 02:40. During the restart a sensor in the secondary circuit reported an implausible value, and operators paused the procedure until it was replaced.",
		"Anna had counted the steps so often that she no longer noticed them. Sixty-one to the tower, nine to the lamp. That night she stopped at fifty-eight, because somebody was sitting there.",
		"Revenue rose 12% to 4.1 million while costs grew 19%, mainly because of freight and energy. The board expects the margin to recover in the second half and leaves the dividend unchanged.",
		"Great little place. We waited a bit for a table, but the staff were kind, the soup was the best I have had in years, and they even found a chair for our dog.",
		"A subnet is a market for one kind of work. Miners do it, validators measure it, and the chain pays for what was measured.",
	},
	"start": {
		"Once upon a time", "The best way to learn is", "In 1969,", "Dear Sir or Madam,\n\nI am writing to", "import os\n\ndef main():\n", "Ingredients:\n- 2 eggs\n-",
		"Q: What is the capital of {place}?\nA:", "The three laws are:\n1.", "<html>\n<head>\n<title>", "It was a dark and stormy night;", "Roses are red,", "package main\n\nimport \"fmt\"\n\nfunc ",
		"Abstract. We study", "To whom it may concern:", "The recipe for happiness is", "SELECT ", "{\"name\": \"", "English: good morning\nFrench: bonjour\nEnglish: thank you\nFrench:", "The weather tomorrow in {city} will be",
	},
	"system": {
		"You are a helpful assistant.", "You are a helpful assistant.", "You are a helpful assistant. Answer in one paragraph.", "Answer briefly.", "You are a senior {language} developer. Give code first, then a short explanation.",
		"You are a patient teacher of children aged ten.", "Always answer in the language of the question.", "You translate. Output only the translation.", "You are a customer support agent of an online shop. Be polite and never promise refunds.",
		"Reply with valid JSON only.", "You are a pirate.", "Today is a sunny day. Use no lists.", "You review texts for grammar and style.", "Be concise. If you do not know something, say so.",
	},
	"follow": {
		"Why?", "Can you give an example?", "shorter please", "And what about {place}?", "Now explain it to a child.", "Are you sure?", "Translate that into German.", "Thanks! One more, please.",
		"Make it more {style}.", "ok, and how would you do it in {language}?", "What is the main risk?", "I don't get the second part.", "Continue.", "Put it into a table.", "Can you cite a source?",
	},
	"reply": {
		"Sure. It depends on what you need, but in most cases the simple answer is the right one.", "Good question. There are three parts to it: where it comes from, how it works, and what it costs.",
		"Yes.", "Here is a first version. Tell me what you would like to change.", "It is a way to do more with less: the same result, for a smaller price.", "I am not sure, but I would start small and measure.",
		"The short answer is no. The long one has to do with how people agree on things.", "1. Plan\n2. Try\n3. Repeat", "There are several; the best known is the one in {city}.",
	},
}

// canaryKinds are templates by what people want of a model.
var canaryKinds = [][]string{
	{"What is {topic}?", "What's {topic}?", "Explain {topic}.", "explain {topic} like i'm five", "Tell me about {topic}.", "How does {topic} work?", "What is the difference between {topic} and {topic}?",
		"Why does {topic} matter?", "Give me a {style} summary of {topic}.", "What are common misconceptions about {topic}?", "Write {n} quiz questions about {topic}, with answers.", "Who discovered {topic}?"},
	{"What is the capital of {place}?", "What is {n} plus {n}?", "how much is {n}% of {n}{n}", "How far is {city} from {city}?", "Convert {n} miles to kilometres.", "What day comes {n} days after Monday?",
		"What is the opposite of hot?", "Is {n} a prime number? Explain.", "What time is it in {city} when it is noon in {city}?", "Which is larger, {n}/{n} or {n}/{n}?"},
	{"Write a function in {language} that {task}.", "{language}: how do I write code that {task}?", "Write a {language} program that {task}. Include tests.", "What is wrong with this code?\n\n```\n{code}\n```",
		"Explain this code line by line:\n{code}", "Rewrite this in {language}:\n\n{code}", "how to do error handling in {language}", "What does this {language} error mean: index out of range [{n}] with length {n}?",
		"Write a regular expression for dates like 2024-0{d}-1{d}.", "Refactor:\n{code}"},
	{"List {n} {item}.", "Give me {n} {item}.", "{item}?", "I need {d} {item}, one line each.", "Make a table of {d} {item} with pros and cons.", "Plan a {d}-day trip to {city}.", "Make a shopping list for {d} people, vegetarian."},
	{"Tell me a story about {thing}.", "Write a {style} poem about {thing}.", "Write a {style} e-mail to {person} about {matter}.", "write a haiku about {thing}", "Continue the story: {text}", "Write a dialogue between {thing} and {thing}.",
		"Write the first paragraph of a novel set in {city}.", "Write a {style} text message to {person}: {matter}.", "Tell me a joke about {thing}."},
	{"Summarize in one sentence:\n\n{text}", "Is this review positive or negative? Answer with one word.\n\n{text}", "Extract all numbers from this text as JSON: {text}", "Translate into Spanish: {text}", "Give this a title: {text}",
		"Rewrite this to be more {style}: {text}", "What is the tone of the following?\n{text}", "Correct the mistakes: i has went to {city} yesterday and it were raining all day, so we was wet", "TL;DR {text}"},
	{"Was ist {topic}? Bitte kurz.", "Schreib mir eine E-Mail an {person} wegen {matter}.", "Erzähl mir eine Geschichte über {thing}.", "Qu'est-ce que {topic} ?", "Écris un poème sur {thing}.", "¿Qué es {topic}?", "Escribe una función en {language} que {task}.",
		"O que é {topic}? Explique de forma simples.", "Cos'è {topic}?", "Что такое {topic}?", "{topic}是什么？请用一句话回答。", "{city}でおすすめの場所を{d}つ教えてください。", "Wat zijn {d} leuke dingen om te doen in {city}?", "Napisz krótki wiersz o {thing}.", "{topic} nedir?"},
	{"hi", "Hello! How are you?", "who are you?", "What can you do?", "thanks", "test", "Are you a human?", "help me pls, {matter}", "I feel a bit down today.", "What model are you?", "ok", "Good morning! Any plans for {city}?"},
}

// fillPlaces fills a template's places; what fills them may have places, too.
func fillPlaces(r *rand.Rand, template string) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(template, "{")
		name, after, closed := strings.Cut(rest, "}")
		if !found {
			out.WriteString(before)
			return out.String()
		}
		out.WriteString(before)
		template = after
		list := canaryWords[name]
		switch {
		case !closed || strings.ContainsAny(name, " {\n\""): // code
			out.WriteString("{")
			template = rest
		case name == "n":
			fmt.Fprint(&out, r.IntN(98)+2)
		case name == "d":
			fmt.Fprint(&out, r.IntN(8)+2)
		case len(list) > 0:
			out.WriteString(fillPlaces(r, list[r.IntN(len(list))]))
		default:
			out.WriteString("{" + name + "}")
		}
	}
}

// typeHastily changes a text as hasty people write.
func typeHastily(r *rand.Rand, s string) string {
	switch r.IntN(12) {
	case 0:
		return strings.ToLower(s)
	case 1:
		return strings.TrimRight(s, ".?!")
	case 2:
		return s + "\n"
	case 3:
		return "Please help: " + s
	case 4:
		if runes := []rune(s); len(runes) > 12 { // two letters change places
			i := 4 + r.IntN(len(runes)-6)
			runes[i], runes[i+1] = runes[i+1], runes[i]
			return string(runes)
		}
	}
	return s
}

func drawQuestion(r *rand.Rand) string {
	list := canaryKinds[r.IntN(len(canaryKinds))]
	return typeHastily(r, fillPlaces(r, list[r.IntN(len(list))]))
}

// drawPrompt draws what is asked: a text to go on with, or a conversation of some turns.
func drawPrompt(r *rand.Rand) (messages []api.Message, text string) {
	if r.IntN(10) == 0 {
		return nil, fillPlaces(r, canaryWords["start"][r.IntN(len(canaryWords["start"]))])
	}
	if r.IntN(5) < 2 {
		messages = append(messages, api.Message{Role: api.System, Content: fillPlaces(r, canaryWords["system"][r.IntN(len(canaryWords["system"]))])})
	}
	messages = append(messages, api.Message{Role: api.User, Content: drawQuestion(r)})
	for r.IntN(4) == 0 && len(messages) < 9 {
		follow := fillPlaces(r, canaryWords["follow"][r.IntN(len(canaryWords["follow"]))])
		if r.IntN(3) == 0 {
			follow = drawQuestion(r)
		}
		messages = append(messages, api.Message{Role: api.Assistant, Content: fillPlaces(r, canaryWords["reply"][r.IntN(len(canaryWords["reply"]))])}, api.Message{Role: api.User, Content: follow})
	}
	return messages, ""
}
