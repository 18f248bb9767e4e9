"""The weather at the airports, fetched over HTTP from a service that does not always answer."""
