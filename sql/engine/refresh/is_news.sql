-- Where nothing tells news from a correction.
null::boolean
