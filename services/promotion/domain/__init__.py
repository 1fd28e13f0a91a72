"""The rules of promotions, pure.

Read in this order: `promotions` (what a promotion promises, and when), `quotes` (what items cost with promotions),
`codes` (how they are written), `redemptions` (which orders may use them); `prices` (promotional prices) stands alone.
"""
