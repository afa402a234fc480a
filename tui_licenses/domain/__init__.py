"""What licenses are: keys, instances, accounts, hardware and the rules that hold among them."""
