"""The rules of shipping, without any I/O.

`parcels.py` has what a parcel is and how it moves, as one table; `deliveries.py` what is known of an order, which parcels it
becomes, and what is told of them.
"""
