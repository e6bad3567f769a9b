"""Does the kana name on an account belong to the person whose registry name is in kanji? Imports nothing of ours."""
