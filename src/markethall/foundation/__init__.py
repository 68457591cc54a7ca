"""Who, what money, which file, which message. Knows no orders and no products."""
