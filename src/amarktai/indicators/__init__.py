"""Array functions over prices: float64[n] in, float64[n] out, NaN until enough bars are there."""
