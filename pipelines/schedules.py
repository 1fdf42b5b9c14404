"""The schedules: retraining weekly, red teaming of the current release nightly. UTC."""

import dagster as dg

from pipelines.jobs import build_candidate, red_team_release

retrain_weekly = dg.ScheduleDefinition(
    name="retrain_weekly",
    job=build_candidate,
    cron_schedule="0 3 * * 1",
    description="Monday 03:00: a new candidate from every admitted drop. Does no work if nothing changed.",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)

red_team_nightly = dg.ScheduleDefinition(
    name="red_team_nightly",
    job=red_team_release,
    cron_schedule="0 2 * * *",
    description="Every night 02:00: the current release is attacked with fresh seeds.",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)

ALL = (retrain_weekly, red_team_nightly)
