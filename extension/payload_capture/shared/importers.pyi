from payload_replay.importers import *  # noqa: F403
