"""The parts of the side panel; each shows and changes one part of the view."""
