// Runs once, when the database is created: a user who may read and write this one database.
db.getSiblingDB("izanagi").createUser({
  user: "izanagi",
  pwd: process.env.MONGODB_APP_PASSWORD,
  roles: [{ role: "readWrite", db: "izanagi" }],
});
