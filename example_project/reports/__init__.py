"""What happened in the guide in a month, written once and sent by mail."""
