"""ELYSIUM's pages: the shop window, a piece and its configurator, bag, checkout, and what is one's
own. They ask and tell; what things cost and who may do what is decided below."""
