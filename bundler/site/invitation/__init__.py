"""One line brings an edge in: a code on one side, a listener on the other, and what an edge is given for the code.

Owns the code, who may use it how often, the listener on the master and the connection from the edge. Refuses to know
where a join token comes from (it is handed in) and what is done with one: a step of the site does that.
"""
