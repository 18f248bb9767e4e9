"""How parent and runners talk: messages on one shared socket, slips in shared memory."""
