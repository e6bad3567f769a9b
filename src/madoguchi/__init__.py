"""madoguchi (窓口): shared support counters where a registration cannot land on another person's card."""
