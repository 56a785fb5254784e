// Package seller sells what a neuron serves: it lists the service on chain, opens the
// till that customers pay at, and redeems what they paid.
//
//	s, err := seller.New(seller.Config{
//		Chain:   seller.NewChain(c, hot),
//		Service: markettypes.MsgListService{Hotkey: hot.Address(), Netuid: 2, Name: "inference", …},
//		Sell:    miner.Sell, // from now on customers pay at this till; nil: they can't
//		Dir:     func(service uint64) string { … },
//	})
//	err = s.Run(ctx)
//
// It waits until the hotkey is registered, changes a listing of the same name that says
// something else, tries again what the chain refuses, and redeems the rest when it ends.
package seller
