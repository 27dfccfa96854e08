package diff

import (
	"hash/maphash"

	"tapedeck/matchers"
)

var treeSeed = maphash.MakeSeed()

func sumOfText(s string) uint64 { return maphash.String(treeSeed, s) }

// mixSums makes one sum of two, in this order.
func mixSums(a, b uint64) uint64 {
	a ^= b + 0x9e3779b97f4a7c15 + a<<6 + a>>2
	a *= 0xff51afd7ed558ccd
	return a ^ a>>33
}

// digest is equal for nodes that say the same: whatever the order of members, white space
// and the notation of numbers. It only finds candidates: two nodes of one digest are
// still compared.
func (n *node) digest() uint64 {
	if n.summed {
		return n.sum
	}
	sum := uint64(n.shape) + 1
	switch n.shape {
	case object:
		for _, k := range n.kids {
			sum += mixSums(sumOfText(k.name), k.node.digest())
		}
		sum = mixSums(sum, uint64(len(n.kids)))
	case array:
		for _, k := range n.kids {
			sum = mixSums(sum, k.node.digest())
		}
	case number:
		sum = mixSums(sum, sumOfText(matchers.NormalNumber(n.raw)))
	default:
		sum = mixSums(sum, sumOfText(n.value))
	}
	n.sum, n.summed = sum, true
	return sum
}
