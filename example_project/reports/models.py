"""A report, and whether it was sent."""

from __future__ import annotations

from django.db import models


class MonthlyReport(models.Model):
    """What one reader is told of one month."""

    month = models.DateField(help_text="its first day")
    recipient = models.EmailField()
    text = models.TextField()
    written_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["-month", "recipient"]
        constraints = [
            # A job may run twice: the second run finds what the first has written, and whether it was sent.
            models.UniqueConstraint(fields=["month", "recipient"], name="reports_write_each_month_once"),
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def subject(self) -> str:
        """The subject of its mail."""
        return f"The airport guide in {self.month:%B %Y}"

    @property
    def message_id(self) -> str:
        """The same for each copy, so that a reader's mailbox can tell that a second one is no other."""
        return f"<report-{self.pk}-{self.month:%Y-%m}@airport-guide.example>"
