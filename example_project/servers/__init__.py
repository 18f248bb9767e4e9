"""What the guide talks to: a weather service and a mail server, on this machine and failing on purpose."""
