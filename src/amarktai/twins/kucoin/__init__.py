"""KuCoin's spot twin, after the specifications in Kucoin/kucoin-universal-sdk and kucoin.com/docs-new."""
