"""What the BraTSRefine module shows: the scene, the panels, the views and the jobs behind the buttons."""
