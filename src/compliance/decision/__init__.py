"""Law and facts make a date: `decide`, its explanation, and the cases that law files carry."""
