from payload_replay.verify import *  # noqa: F403
