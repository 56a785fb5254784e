package fidelity

import "math"

// mostFlagged is the largest number that honest tokens are still believed to come to: more
// than that of n, each flagged with a probability of p at most, come with one of alpha at
// most.
func mostFlagged(n int, p, alpha float64) int {
	k := int(float64(n) * p)
	for ; k < n; k++ {
		if tail(n, k+1, p) <= alpha {
			return k
		}
	}
	return n
}

// tail is the probability of k or more out of n.
func tail(n, k int, p float64) float64 {
	if k <= 0 {
		return 1
	}
	all, _ := math.Lgamma(float64(n + 1))
	sum := 0.0
	for j := k; j <= n; j++ {
		in, _ := math.Lgamma(float64(j + 1))
		out, _ := math.Lgamma(float64(n - j + 1))
		term := math.Exp(all - in - out + float64(j)*math.Log(p) + float64(n-j)*math.Log1p(-p))
		sum += term
		if float64(j) > float64(n)*p && term < sum*1e-12 {
			break
		}
	}
	return min(1, sum)
}

// mostMean is the largest mean that n honest values are still believed to have, which lie
// between 0 and clip and have a mean of at most mean and a mean square of at most square:
// above, by Bernstein's inequality, with a probability of alpha at most.
func mostMean(n int, mean, square, clip, alpha float64) float64 {
	l := math.Log(1 / alpha)
	linear := clip * l / (3 * float64(n))
	return mean + linear + math.Sqrt(linear*linear+2*square*l/float64(n))
}
