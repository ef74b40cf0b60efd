from payload_replay.posting import *  # noqa: F403
