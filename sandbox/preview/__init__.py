"""A page in which a person plays the simulated people: channels, composer, slash commands, buttons and modals, live."""
