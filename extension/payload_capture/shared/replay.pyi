from payload_replay.replay import *  # noqa: F403
