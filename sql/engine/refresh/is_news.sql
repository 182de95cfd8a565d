-- For tables that do not distinguish news from corrections.
null::boolean
