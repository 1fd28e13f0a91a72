"""What shipping does: load, decide, save, emit.

`delivering.py` hears what orders and the inventory say, and opens and stops parcels; `labelling.py` buys and voids their labels,
`tracking.py` follows them, and sooner when the carrier tells of them (`noticing.py`). `handling.py` is for people: a warehouse's
hands, and reading. `telling.py` says what others hear. `rating.py` says what shipping costs, and what is wrong with an address.
"""

from services.chassis import database

# Parcels whose labels the carrier is to be asked about, those it could not be asked about at once, and those that a person
# has to look at.
QUEUES = database.Statement("""
SELECT 'carrier', count(*), extract(epoch FROM clock_timestamp() - min(update_time))
FROM parcels WHERE state IN ('LABELLING', 'LABELLING_STOPPED', 'VOIDING')
UNION ALL
SELECT 'carrier_unknown', count(*), extract(epoch FROM clock_timestamp() - min(update_time))
FROM parcels WHERE state IN ('LABELLING', 'LABELLING_STOPPED', 'VOIDING') AND attempts > 1
""")
