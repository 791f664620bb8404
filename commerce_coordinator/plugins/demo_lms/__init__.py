"""The demo of the README, and a stand-in LMS to enrol in. Local and test settings only."""
