"""What is sold and bought: catalogue and orders; later cart, stock, shipping, vendors."""
