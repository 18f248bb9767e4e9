"""What every engine must do, a class a verb; a test module imports all of it and supplies `engine`."""

from tests.engines.conformance.answering import TestAnswersToDeath
from tests.engines.conformance.cancelling import (
    TestAskCancel,
    TestCancels,
    TestCancelsAtOnce,
    TestEndOfWhatIsToBeCancelled,
)
from tests.engines.conformance.claiming import (
    TestClaim,
    TestClaimedBy,
    TestClaimPast,
    TestClaimsAtOnce,
    TestReadyQueues,
    TestRenew,
    TestStart,
)
from tests.engines.conformance.connecting import TestDisconnect
from tests.engines.conformance.counting import (
    TestCount,
    TestFold,
    TestFoldsAtOnce,
    TestPruneCounters,
    TestTally,
)
from tests.engines.conformance.enqueueing import TestEnqueue, TestUnhold
from tests.engines.conformance.expiring import (
    TestAckOfWhatExpires,
    TestExpire,
    TestExpiryAtOnce,
    TestRequeueOfWhatExpires,
)
from tests.engines.conformance.finishing import (
    TestAck,
    TestAckOfWhatCannotBeStored,
    TestCancel,
    TestRelease,
    TestRequeue,
)
from tests.engines.conformance.listening import TestListener
from tests.engines.conformance.noting import (
    TestAckOfWhatSpoke,
    TestMetas,
    TestNote,
    TestNotesAtOnce,
    TestRequeueOfWhatSpoke,
)
from tests.engines.conformance.plans import TestPlans
from tests.engines.conformance.presence import (
    TestAppear,
    TestAppearBesideALock,
    TestForgetWorkers,
    TestVanish,
)
from tests.engines.conformance.queues import TestPause, TestPausesAtOnce, TestQueuesThereAre, TestResume
from tests.engines.conformance.receivers import TestReceivers
from tests.engines.conformance.removing import TestPrune, TestPrunesAtOnce, TestPurge
from tests.engines.conformance.repeating import TestRepeated
from tests.engines.conformance.replaying import TestReplay, TestReplaysAtOnce
from tests.engines.conformance.transitions import TestTransitions
from tests.engines.conformance.upkeep import TestClock, TestNextDue, TestPromote, TestRescue

__all__ = [
    "TestAck",
    "TestAckOfWhatCannotBeStored",
    "TestAckOfWhatExpires",
    "TestAckOfWhatSpoke",
    "TestAnswersToDeath",
    "TestAppear",
    "TestAppearBesideALock",
    "TestAskCancel",
    "TestCancel",
    "TestCancels",
    "TestCancelsAtOnce",
    "TestClaim",
    "TestClaimPast",
    "TestClaimedBy",
    "TestClaimsAtOnce",
    "TestClock",
    "TestCount",
    "TestDisconnect",
    "TestEndOfWhatIsToBeCancelled",
    "TestEnqueue",
    "TestExpire",
    "TestExpiryAtOnce",
    "TestFold",
    "TestFoldsAtOnce",
    "TestForgetWorkers",
    "TestListener",
    "TestMetas",
    "TestNextDue",
    "TestNote",
    "TestNotesAtOnce",
    "TestPause",
    "TestPausesAtOnce",
    "TestPlans",
    "TestPromote",
    "TestPrune",
    "TestPruneCounters",
    "TestPrunesAtOnce",
    "TestPurge",
    "TestQueuesThereAre",
    "TestReadyQueues",
    "TestReceivers",
    "TestRelease",
    "TestRenew",
    "TestRepeated",
    "TestReplay",
    "TestReplaysAtOnce",
    "TestRequeue",
    "TestRequeueOfWhatExpires",
    "TestRequeueOfWhatSpoke",
    "TestRescue",
    "TestResume",
    "TestStart",
    "TestTally",
    "TestTransitions",
    "TestUnhold",
    "TestVanish",
]
