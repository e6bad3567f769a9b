"""The agent at the counter: presence, box, wipe proof, journal, link to the server, desk page."""
